"""Who inside an organisation has to approve a version of the terms before it can be signed."""
