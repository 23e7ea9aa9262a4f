from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.backends import ModelBackend

from . import sessions
from .models import Membership
from .models.organisations import Role

ADMIN_ACCESS = "wagtailadmin.access_admin"
# Model permissions a bureau's member carries into the CMS. They open screens; each screen still asks
# the noun's own permission for the one object, because Wagtail's are per model (docs/adr/0006).
BUREAU_PERMISSIONS = {
    f"listings.{verb}_{model}" for model in ("demandlist", "demandline") for verb in ("view", "add", "change", "delete")
} | {"accounts.view_organisation", "accounts.change_organisation", "matching.view_matchrun", "matching.add_matchrun"}


class KnownPerson:
    """A backend that takes the person found with the session before it asks the database again."""

    def get_user(self, user_id):
        user = sessions.person(user_id)
        if user is None:
            return super().get_user(user_id)
        return user if self.user_can_authenticate(user) else None


class PasswordBackend(KnownPerson, AuthenticationBackend):
    """Signing in by e-mail address and password."""


class MembershipBackend(KnownPerson, ModelBackend):
    """Permissions that follow from being on a verified bureau's staff; passwords are allauth's business."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        return None

    def get_all_permissions(self, user_obj, obj=None):
        permissions = super().get_all_permissions(user_obj, obj)
        return permissions | self.bureau_permissions(user_obj) if obj is None else permissions

    def bureau_permissions(self, user) -> set[str]:
        if not user.is_active or user.is_anonymous:
            return set()
        if not hasattr(user, "_bureau_permissions"):
            is_staff = (
                Membership.objects.active()
                .filter(user=user, organisation__is_bureau=True, organisation__verification="verified")
                .exclude(roles=[Role.VIEWER])
                .exists()
            )
            user._bureau_permissions = BUREAU_PERMISSIONS | {ADMIN_ACCESS} if is_staff else set()
        return user._bureau_permissions
