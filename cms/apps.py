from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CmsConfig(AppConfig):
    name = "cms"
    verbose_name = _("cms")

    def ready(self):
        from django.db.models.signals import pre_save
        from wagtail.admin.views.pages.search import SearchView
        from wagtail.images import get_image_model

        from .pictures import clean_before_save

        pre_save.connect(clean_before_save, sender=get_image_model(), dispatch_uid="clean_picture")
        SearchView.paginate_by = 10  # each row has a menu of its own: twenty take longer than 100 ms
