"""Stores: any data set written once into a few large files that are read fast, from a disk or from object storage."""
