{ fetchurl }:
[
  # first
  {
    url = "http://a/";
    file = null;
  }
]
