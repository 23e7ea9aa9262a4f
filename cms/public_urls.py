"""Public addresses of the CMS room that are no Wagtail pages: search over all, feeds, the calendar of clocks."""

from django.urls import path

from .views import feeds, search

urlpatterns = [
    path("search/", search.search, name="site_search"),
    path("feeds/lists.atom", feeds.ListsFeed(), name="feed_lists"),
    path("feeds/news.atom", feeds.NewsFeed(), name="feed_news"),
    path("calendar.ics", feeds.calendar, name="calendar"),
]
