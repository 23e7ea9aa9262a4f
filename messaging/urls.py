from django.urls import path

from .views import notifications, threads

urlpatterns = [
    path("messages/", threads.inbox, name="inbox"),
    path("messages/<int:pk>/", threads.thread_detail, name="thread_detail"),
    path("messages/<int:pk>/since/", threads.thread_messages, name="thread_messages"),
    path("messages/<int:pk>/send/", threads.message_send, name="message_send"),
    path("messages/<int:pk>/read/", threads.thread_read, name="thread_read"),
    path("notifications/", notifications.notification_list, name="notification_list"),
    path("notifications/<int:pk>/open/", notifications.notification_open, name="notification_open"),
    path("notifications/read/", notifications.notification_read, name="notification_read"),
]
