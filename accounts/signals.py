"""Told in the transaction of the change, so that a room above can write its own rows with it.

Every signal carries `by` (the User, or None for a clock). Receivers must not send mail or ring sockets
except on commit.
"""

from django.dispatch import Signal

organisation_submitted = Signal()  # organisation, bureaus (list of Organisation), by
organisation_verified = Signal()  # organisation, bureau, by
organisation_sent_back = Signal()  # organisation, bureau, note, by
join_requested = Signal()  # join_request, by
join_answered = Signal()  # join_request, by
invitation_accepted = Signal()  # invitation, membership, by
membership_changed = Signal()  # membership, by
membership_ended = Signal()  # membership, by
