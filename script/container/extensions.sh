#!/bin/sh
# Run once by the database image, when its data folder is made: the extensions, in template1 too, as in script/lib.sh.
set -eu
for database in template1 "$POSTGRES_DB"; do
  psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$database" -c 'create extension if not exists postgis' \
    -c 'create extension if not exists pgrouting' -c 'create extension if not exists pg_trgm' \
    -c 'create extension if not exists btree_gist'
done
