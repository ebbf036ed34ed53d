"""How sites are reached: cookies and proxy, a gate for all requests, failures, when to stop."""
