# The parts are apart, and downloaded in turn.
include_guard(GLOBAL)

foreach(part IN ITEMS packages data)
  set(file ${CMAKE_BINARY_DIR}/shared/${part}.cmake)
  file(DOWNLOAD https://cmake.example.org/v2/${part}.cmake ${file} STATUS status TLS_VERIFY ON)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${part}.cmake: ${status}")
  endif()
  include(${file})
endforeach()
