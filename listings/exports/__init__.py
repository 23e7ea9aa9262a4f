"""Files out: what a reader may see as XLSX, CSV, GeoJSON or GeoPackage. Rows are made by PostgreSQL and streamed."""
