function(shared_data name hash)
  file(
    DOWNLOAD https://data.example.org/${name} ${CMAKE_BINARY_DIR}/data/${name}
    EXPECTED_HASH ${hash}
    TLS_VERIFY ON)
endfunction()
