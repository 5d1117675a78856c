"""Legacy sign-ins per tenant and protocol, counted by Polars. Run it in the folder that holds `lake`."""

import polars as pl

records = pl.scan_delta("lake/sign_in_records")
of_id = ["tenant_id", "sign_in_id"]
sign_in = [*of_id, "sign_in_category", "record_key"]
at, user, address = pl.col("signed_in_at"), pl.col("user_id"), pl.col("user_principal_name").str.to_lowercase()
# All records of an id are of one second, and of users who don't contradict each other.
is_unique = (
    ((at.max() - at.min()).over(of_id) <= pl.duration(seconds=1)).fill_null(True)
    & (user.n_unique() - user.has_nulls().cast(pl.UInt32)).over(of_id).le(1)
    & (
        address.filter(user.is_null()).is_null().all().over(of_id)
        | (address.n_unique() - address.has_nulls().cast(pl.UInt32)).over(of_id).le(1)
    )
)
app = pl.col("client_app")
states = (app.str.strip_chars(" ").str.to_lowercase() != "unknown").fill_null(False)
counted = pl.col("protocol").is_not_null() & pl.col("auth_method").is_in(["basic", "unknown"])
first, second, third, last = (pl.lit(place, pl.Int8) for place in range(1, 5))
is_basic = counted & (pl.col("auth_method") == "basic")
certainty = pl.when(states & counted).then(first).when(is_basic).then(second).when(states).then(third).otherwise(last)
# Of the records of a sign-in the first one speaks for it, in this order; True: the greatest is first.
order = [
    (certainty, False),
    (pl.col("auth_method") == "modern", False),
    (pl.col("provably_modern"), False),
    (pl.col("emitted_at"), True),
    (pl.col("outcome") == "success", True),
    (pl.col("record_hash"), False),
    (pl.col("source_id"), False),
    (pl.col("source_offset"), False),
]
usage = (
    records.with_columns(is_unique=is_unique, known_category=pl.col("category").max().over(of_id))
    .with_columns(
        sign_in_category=pl.when("is_unique").then(pl.coalesce("category", "known_category")).otherwise("category"),
        record_key=pl.when(~pl.col("is_unique")).then("record_hash"),
    )
    .sort([column for column, _ in order], descending=[greatest for _, greatest in order], nulls_last=True)
    .unique(sign_in, keep="first", maintain_order=True)
    .filter(
        pl.col("auth_method").is_in(["basic", "unknown"]),
        pl.col("protocol").is_not_null(),
        pl.col("outcome") == "success",
        pl.col("sign_in_category").fill_null("interactive").is_in(["interactive", "non_interactive"]),
        pl.col("resource_tenant_id").fill_null(pl.col("tenant_id")) == pl.col("tenant_id"),
    )
    .with_columns(user=pl.coalesce("user_id", pl.col("user_principal_name").str.to_lowercase(), pl.lit("unknown user")))
    .group_by("tenant_id", "protocol")
    .agg(sign_ins=pl.len(), users=pl.col("user").n_unique())
    .sort("tenant_id", "protocol")
    .collect()
    .rows()
)

for row in usage:
    print(*row)
