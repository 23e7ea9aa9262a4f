"""The matching itself: arrays in, arrays out. No ORM, no request, no clock."""
