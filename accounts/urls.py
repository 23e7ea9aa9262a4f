from django.urls import path

from .views import events, joining, members, organisations, people, verification

urlpatterns = [
    path("work/", people.my_work, name="my_work"),
    path("profile/", people.profile, name="profile"),
    path("organisations/new/", organisations.organisation_new, name="organisation_new"),
    path("organisations/join/", joining.organisation_join, name="organisation_join"),
    path("organisations/switch/", organisations.organisation_switch, name="organisation_switch"),
    path("organisations/<int:pk>/", organisations.organisation_detail, name="organisation_detail"),
    path("organisation/edit/", organisations.organisation_edit, name="organisation_edit"),
    path(
        "organisation/submit/", organisations.organisation_submit_verification, name="organisation_submit_verification"
    ),
    path("organisation/members/", members.organisation_members, name="organisation_members"),
    path("organisation/log/", events.event_log, name="event_log"),
    path("memberships/<int:pk>/", members.membership_edit, name="membership_edit"),
    path("memberships/<int:pk>/end/", members.membership_end, name="membership_end"),
    path("invitations/new/", joining.invitation_new, name="invitation_new"),
    path("invitations/<int:pk>/withdraw/", joining.invitation_withdraw, name="invitation_withdraw"),
    path("invitations/<slug:token>/accept/", joining.invitation_accept, name="invitation_accept"),
    path("join-requests/<int:pk>/answer/", joining.join_request_answer, name="join_request_answer"),
    path("verification/", verification.verification_queue, name="verification_queue"),
    path("verification/<int:pk>/answer/", verification.verification_answer, name="verification_answer"),
    path("regions/picker/", organisations.region_options, name="region_options"),
]
