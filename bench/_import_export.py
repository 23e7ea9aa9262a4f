"""The peer of bench/imports.py: the same rows through django-import-export into the same models. Rolled back."""

import csv
import json
import os
import sys
import time

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sharing.settings")
    django.setup()
    from django.contrib.gis.geos import Point
    from django.db import connection, transaction
    from import_export import fields, resources
    from tablib import Dataset

    from accounts.models import Organisation
    from listings.models import CapacityPool, Resource, Tower

    owner = Organisation.objects.enterprises().order_by("pk")[0]

    user = owner.memberships.order_by("pk")[0].user

    class TowerRows(resources.ModelResource):
        code = fields.Field(column_name="资源编码", attribute="owner_code")
        title = fields.Field(column_name="资源名称", attribute="name")
        region = fields.Field(column_name="行政区划", attribute="region_id")
        street = fields.Field(column_name="地址", attribute="address")
        day = fields.Field(column_name="数据日期", attribute="facts_on")

        class Meta:
            model = Resource
            fields = ("code", "title", "region", "street", "day")
            import_id_fields = ("code",)
            clean_model_instances = True
            use_transactions = True

        def after_init_instance(self, instance, new, row, **kwargs):
            instance.owner, instance.kind, instance.sector = owner, "tower", owner.sector
            instance.created_by = user
            instance.place = Point(float(row["经度"]), float(row["纬度"]), srid=4326)

        def after_save_instance(self, instance, row, **kwargs):
            Tower.objects.update_or_create(resource=instance, defaults={"height_m": row["塔高(米)"]})
            told = {"total": row["天线位总数"], "in_use": row["已用天线位"]}
            CapacityPool.objects.update_or_create(resource=instance, unit="position", label="", defaults=told)

    with open(sys.argv[1], encoding="utf-8-sig", newline="") as file:
        head, *rows = list(csv.reader(file))[: int(sys.argv[2]) + 1]
    begun = time.monotonic()
    with transaction.atomic():
        done = TowerRows().import_data(Dataset(*rows, headers=head), raise_errors=True)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        seconds = time.monotonic() - begun
        stored = done.totals["new"]
        transaction.set_rollback(True)
    if stored != len(rows):
        raise SystemExit(f"only {stored} of {len(rows)} rows were stored")
    sys.stdout.write(json.dumps({"seconds": seconds, "rows": stored}) + "\n")


if __name__ == "__main__":
    main()
