include(FetchContent)

macro(shared_package name version)
  FetchContent_Declare(${name} URL https://packages.example.org/${name}-${version}.tar.gz)
  FetchContent_MakeAvailable(${name})
endmacro()
