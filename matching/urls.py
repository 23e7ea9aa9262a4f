from django.urls import path

from .views import lines, proposals, runs, what_if

urlpatterns = [
    path("matching/lists/<int:pk>/start/", runs.run_start, name="run_start"),
    path("matching/lists/<int:pk>/runs/", runs.run_list, name="run_list"),
    path("matching/runs/<int:pk>/", runs.run_detail, name="run_detail"),
    path("matching/runs/<int:pk>/progress/", runs.run_progress, name="run_progress"),
    path("matching/runs/<int:pk>/cancel/", runs.run_cancel, name="run_cancel"),
    path("matching/runs/<int:pk>/compare/", runs.run_compare, name="run_compare"),
    path("matching/runs/<int:pk>/what-if/", what_if.run_what_if, name="run_what_if"),
    path("matching/runs/<int:pk>/download/<slug:file_format>/", what_if.run_download, name="run_download"),
    path("matching/runs/<int:pk>/map.json", runs.run_map, name="run_map"),
    path("matching/proposals/<int:pk>/", proposals.proposal_detail, name="proposal_detail"),
    path("matching/proposals/<int:pk>/map.json", proposals.proposal_map, name="proposal_map"),
    path("matching/proposals/<int:pk>/send/", proposals.proposal_send, name="proposal_send"),
    path("matching/results/<int:pk>/routes.json", proposals.routes_map, name="routes_map"),
    path("matching/method/", lines.method, name="matching_method"),
    path("matching/mine/", lines.my_matches, name="my_matches"),
    path("matching/lines/<int:pk>/", lines.line_matches, name="line_matches"),
]
