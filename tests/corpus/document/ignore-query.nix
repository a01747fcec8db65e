[ { url = "https://example.org/?_=1"; request.ignoreQuery = [ "_" ]; } ]
