from django.urls import URLPattern, path

from listings.views import demand_tiles, tiles

urlpatterns: list[URLPattern] = [
    path("resources/<int:z>/<int:x>/<int:y>.pbf", tiles.tile_resources, name="tile_resources"),
    path("regions/<int:z>/<int:x>/<int:y>.pbf", tiles.tile_regions, name="tile_regions"),
    path("lists/<slug:reference>/<int:z>/<int:x>/<int:y>.pbf", demand_tiles.tile_lines, name="tile_lines"),
]
