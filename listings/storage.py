import os

from django.conf import settings
from django.core.files.storage import FileSystemStorage, storages
from django.utils.deconstruct import deconstructible


@deconstructible
class PrivateStorage(FileSystemStorage):
    """Files below PRIVATE_ROOT, without an address: a view that asks for permission hands them out."""

    @property
    def base_location(self):
        return settings.PRIVATE_ROOT

    @property
    def location(self):
        return os.path.abspath(self.base_location)

    def url(self, name):
        raise ValueError("A private file has no address; link to the view that serves it.")


def private_storage():
    """For FileField(storage=…): a callable, so that migrations name no folder."""
    return storages["private"]
