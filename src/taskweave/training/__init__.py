"""Training: the loop, its options, its stages, its files.

Import from the files (`taskweave.training.loop`, ...): some of them bring Lightning along, `options` does not.
"""
