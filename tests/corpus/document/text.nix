[ { url = "http://a/"; file = builtins.toFile "a" ''
  two
    lines
''; } ]