"""The host runtime: workloads, HTTP, lifecycle of plugins."""
