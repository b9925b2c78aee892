"""Experiments as data, runs of them, and runs as a table.

`recipe` and `choices/` say what an experiment is, `planning` which runs it has, `building/` makes their parts. `running`
trains and measures one run, `jobs/` runs many, `comparison` puts them side by side, `sweeping/` varies one thing.
`statistics/` says how sure the numbers are; `results` is what is found, as data; `writing` leaves the
table, and what `drawing/` draws.
"""
