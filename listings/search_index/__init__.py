"""Counting and ordering among millions: blocks of neighbouring resources with one bit per facet value (docs/adr/0016).

`fold` keeps the blocks, `wire` reads columns in bulk, `shapes` tells inside from outside, `read` loads what a search
touches, `find` counts and pages. The plain meaning of every criterion stands in listings/search.py; a test holds
both to the same answers.
"""
