from django.urls import URLPattern, path

from listings.views import browse, grants, photos, resources

urlpatterns: list[URLPattern] = [
    # --- Browse: the map with its list
    path("map/", browse.resource_map, name="resource_map"),
    path("map/results/", browse.resource_results, name="resource_results"),
    path("map/suggest/", browse.resource_suggest, name="resource_suggest"),
    # --- Supply: own resources, one resource, photos, exact places
    path("resources/", resources.resource_list_own, name="resource_list_own"),
    path("resources/bulk/", resources.resource_bulk, name="resource_bulk"),
    path("resources/new/", resources.resource_choose, name="resource_choose"),
    path("resources/new/<slug:kind>/", resources.resource_new, name="resource_new"),
    path("resources/<int:pk>/", resources.resource_detail, name="resource_detail"),
    path("resources/<int:pk>/edit/", resources.resource_edit, name="resource_edit"),
    path("resources/<int:pk>/publish/", resources.resource_act, {"verb": "publish"}, name="resource_publish"),
    path("resources/<int:pk>/suspend/", resources.resource_act, {"verb": "suspend"}, name="resource_suspend"),
    path("resources/<int:pk>/resume/", resources.resource_act, {"verb": "resume"}, name="resource_resume"),
    path("resources/<int:pk>/retire/", resources.resource_act, {"verb": "retire"}, name="resource_retire"),
    path("resources/<int:pk>/delete/", resources.resource_delete, name="resource_delete"),
    path("resources/<int:pk>/photos/", photos.photo_add, name="photo_add"),
    path("photos/<int:pk>/", photos.photo_image, name="photo_image"),
    path("photos/<int:pk>/delete/", photos.photo_delete, name="photo_delete"),
    path("resources/<int:pk>/ask/", grants.grant_ask, name="grant_ask"),
    path("grants/<int:pk>/answer/", grants.grant_answer, name="grant_answer"),
    path("regions/at/", grants.region_at, name="region_at"),
]
