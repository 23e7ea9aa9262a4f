from django.urls import URLPattern, path

from listings.views import browse, calls, documents, grants, imports, photos, resources, sites

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
    path("resources/<int:pk>/documents/", documents.document_add, name="document_add"),
    path("attachments/<int:pk>/", documents.document_file, name="document_file"),
    path("attachments/<int:pk>/delete/", documents.document_delete, name="document_delete"),
    # --- Sites: several resources at one place
    path("sites/", sites.site_list, name="site_list"),
    path("sites/new/", sites.site_new, name="site_new"),
    path("sites/<int:pk>/", sites.site_detail, name="site_detail"),
    path("sites/<int:pk>/edit/", sites.site_edit, name="site_edit"),
    path("sites/<int:pk>/dissolve/", sites.site_dissolve, name="site_dissolve"),
    path("resources/<int:pk>/ask/", grants.grant_ask, name="grant_ask"),
    path("grants/<int:pk>/answer/", grants.grant_answer, name="grant_answer"),
    path("regions/at/", grants.region_at, name="region_at"),
    # --- Calls: operators hand their needs in
    path("calls/", calls.call_list, name="call_list"),
    path("calls/<slug:reference>/", calls.call_detail, name="call_detail"),
    path("calls/<slug:reference>/new/", calls.call_line_new, name="call_line_new"),
    path("calls/<slug:reference>/<int:pk>/", calls.call_line_edit, name="call_line_edit"),
    path("calls/<slug:reference>/<int:pk>/take-back/", calls.call_line_take_back, name="call_line_take_back"),
    # --- Imports: a file in four steps
    path("imports/new/", imports.import_new, name="import_new"),
    path("imports/template/<slug:kind>/", imports.import_template, name="import_template"),
    path("imports/<int:pk>/", imports.import_detail, name="import_detail"),
    path("imports/<int:pk>/columns/", imports.import_mapping, name="import_mapping"),
    path("imports/<int:pk>/place/", imports.import_place, name="import_place"),
    path("imports/<int:pk>/report/", imports.import_report, name="import_report"),
    path("imports/<int:pk>/progress/", imports.import_progress, name="import_progress"),
    path("imports/<int:pk>/confirm/", imports.import_confirm, name="import_confirm"),
    path("imports/<int:pk>/swap/", imports.import_swap, name="import_swap"),
    path("imports/<int:pk>/cancel/", imports.import_cancel, name="import_cancel"),
    path("imports/<int:pk>/undo/", imports.import_undo, name="import_undo"),
]
