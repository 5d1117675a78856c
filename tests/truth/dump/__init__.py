"""A dump of raw sign-in logs whose truth is known.

`kinds` says what a sign-in can be, `shapes` writes it in the shapes of the exporters, `files` keeps the
files and their account, `plans` says which days of a tenant are there, `tenants` makes sign-ins and tells
the truth about them, and `stories` is what happens at a tenant.
"""
