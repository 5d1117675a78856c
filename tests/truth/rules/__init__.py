"""The verdict rules written a second time, from their prose and independently of the program.

Follow one file through the modules: `reading` unwraps it, `records` reads its rows, `sources` keeps
its account, `coverage` judges which days are there, `doubts` says what cannot be ruled out, and
`deciding` gives the verdict. `words` and `times` hold the vocabulary. Slow and plain is fine here.
"""
