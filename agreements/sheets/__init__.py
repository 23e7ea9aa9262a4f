"""Term sheets: every offer is a version of one, with its price scheme worked out and its clauses one by one."""
