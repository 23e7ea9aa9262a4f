from django.urls import path

from .views import agreements, build_checks, cases, dashboard, queue, requests, sheets, together, verification, works

urlpatterns = [
    path("work/dashboard/", dashboard.dashboard, name="dashboard"),
    path("requests/", requests.request_list, name="request_list"),
    path("requests/new/<int:pk>/", requests.request_new, name="request_new"),
    path("requests/site/<int:pk>/", together.request_site, name="request_site"),
    path("requests/queue/", queue.queue_list, name="queue_list"),
    path("requests/queue/join/<int:pk>/", queue.queue_join, name="queue_join"),
    path("requests/queue/<int:pk>/take/", queue.queue_take, name="queue_take"),
    path("requests/queue/<int:pk>/leave/", queue.queue_leave, name="queue_leave"),
    path("requests/<int:pk>/", cases.request_detail, name="request_detail"),
    path("requests/<int:pk>/withdraw/", cases.request_withdraw, name="request_withdraw"),
    path("requests/<int:pk>/refuse/", cases.request_refuse, name="request_refuse"),
    path("requests/<int:pk>/steps/<slug:verb>/", cases.request_step, name="request_step"),
    path("requests/<int:pk>/offers/", cases.offer_make, name="offer_make"),
    path("requests/<int:pk>/sheet/", sheets.sheet_detail, name="sheet_detail"),
    path("agreements/swaps/", sheets.swap_ledger, name="swap_ledger"),
    path("requests/clocks.ics", works.clock_calendar, name="clock_calendar"),
    path("requests/<int:pk>/acceptance/", works.acceptance, name="acceptance"),
    path("requests/<int:pk>/documents/", works.case_document_add, name="case_document_add"),
    path("case-documents/<int:pk>/", works.case_document, name="case_document"),
    path("offers/<int:pk>/accept/", cases.offer_accept, name="offer_accept"),
    path("agreements/", agreements.agreement_list, name="agreement_list"),
    path("agreements/<int:pk>/", agreements.agreement_detail, name="agreement_detail"),
    path("agreements/<int:pk>/sign/", agreements.agreement_sign, name="agreement_sign"),
    path("agreements/<int:pk>/pdf/", agreements.agreement_pdf, name="agreement_pdf"),
    path("build-check/", build_checks.build_check, name="build_check"),
    path("build-check/<slug:code>/", build_checks.build_check_detail, name="build_check_detail"),
    path("build-check/<slug:code>/pdf/", build_checks.build_check_pdf, name="build_check_pdf"),
    path("verify/", verification.agreement_verify, name="agreement_verify"),
]
