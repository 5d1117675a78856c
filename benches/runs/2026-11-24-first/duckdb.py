"""DuckDB's side of the comparison: NDJSON sign-in records to Parquet. usage: duckdb.py INPUT OUTPUT"""
import duckdb,sys,time
src,out=sys.argv[1],sys.argv[2]
c=duckdb.connect()
c.execute("set threads=2")
t=time.time()
c.execute(f"""copy (
select tenantId tenant_id, properties->>'$.id' sign_in_id, category, try_cast(properties->>'$.createdDateTime' as timestamptz) signed_in_at, try_cast(time as timestamptz) emitted_at,
 try_cast(properties->>'$.createdDateTime' as date) event_date, properties->>'$.userId' user_id, properties->>'$.userPrincipalName' upn, properties->>'$.userType' user_type, properties->>'$.appId' app_id, properties->>'$.appDisplayName' app_name,
 properties->>'$.resourceId' resource_id, properties->>'$.resourceDisplayName' resource_name, properties->>'$.clientAppUsed' client_app, properties->>'$.authenticationProtocol' ap, properties->>'$.status.errorCode' error_code, properties->>'$.status.failureReason' failure_reason,
 properties->>'$.conditionalAccessStatus' ca, properties->>'$.userAgent' ua, properties->>'$.ipAddress' ip, properties->>'$.location.countryOrRegion' country, properties->>'$.isInteractive' ii, properties->>'$.homeTenantId' ht, properties->>'$.resourceTenantId' rt, properties->>'$.correlationId' cid
from read_json('{src}', format='newline_delimited', ignore_errors=true, maximum_object_size=20000000, columns={{time:'VARCHAR',category:'VARCHAR',tenantId:'VARCHAR',properties:'JSON'}})
) to '{out}' (format parquet, compression zstd)""")
print("duckdb seconds",round(time.time()-t,2), c.execute(f"select count(*) from '{out}'").fetchone())
