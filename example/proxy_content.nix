{ fetchurl }:
[
  {
    url = "https://www.apache.org/licenses/LICENSE-2.0.txt";
    file = fetchurl {
      name = "LICENSE-2.0.txt";
      url = "https://www.apache.org/licenses/LICENSE-2.0.txt";
      hash = "sha256-z8d0m5b2O9McPEK1xHG/dWgUBT6EfBDz6wA0F7xSPTA=";
    };
    status_code = 200;
    headers = {
      "content-type" = "text/plain";
    };
  }
]
