"""Works built by several parties together: notice, joining, apportionment, agreement, reservation."""
