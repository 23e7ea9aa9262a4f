from django.urls import path

from .views import around, notifications, talk, threads

urlpatterns = [
    path("messages/<int:pk>/send/", talk.message_send, name="message_send"),  # first: what is asked most
    path("messages/", threads.inbox, name="inbox"),
    path("messages/<int:pk>/", threads.thread_detail, name="thread_detail"),
    path("messages/<int:pk>/since/", threads.thread_messages, name="thread_messages"),
    path("messages/<int:pk>/read/", threads.thread_read, name="thread_read"),
    path("messages/<int:pk>/typing/", threads.thread_typing, name="thread_typing"),
    path("messages/<int:pk>/people/", threads.thread_people, name="thread_people"),
    # --- Saying
    path("messages/<int:pk>/<int:number>/correct/", talk.message_correct, name="message_correct"),
    path("messages/<int:pk>/<int:number>/retract/", talk.message_retract, name="message_retract"),
    # --- Around it
    path("messages/<int:pk>/bureau/", around.thread_bureau, name="thread_bureau"),
    path("messages/<int:pk>/mail/", around.thread_mail, name="thread_mail"),
    path("messages/<int:pk>/map/", around.thread_map, name="thread_map"),
    path("messages/<int:pk>/places/", around.thread_places, name="thread_places"),
    path("messages/<int:pk>/export/", around.thread_export, name="thread_export"),
    path("messages/<int:pk>/export/<int:export_id>/", around.thread_export_file, name="thread_export_file"),
    path("messages/files/<int:pk>/", around.attachment_file, name="attachment_file"),
    # --- Being told
    path("notifications/", notifications.notification_list, name="notification_list"),
    path("notifications/count/", notifications.notification_count, name="notification_count"),
    path("notifications/<int:pk>/open/", notifications.notification_open, name="notification_open"),
    path("notifications/read/", notifications.notification_read, name="notification_read"),
    path("notifications/settings/", notifications.notification_settings, name="notification_settings"),
    path("notifications/presence/", notifications.presence_choose, name="presence_choose"),
    path("notifications/unsubscribe/", notifications.notification_unsubscribe, name="notification_unsubscribe"),
    path("notifications/letters/", notifications.letter_list, name="letter_list"),
    path("notifications/letters/<int:pk>/retry/", notifications.letter_retry, name="letter_retry"),
]
