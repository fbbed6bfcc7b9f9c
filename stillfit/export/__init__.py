"""What people and their tools can look at: series, the status page, dashboards."""
