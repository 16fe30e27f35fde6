# What is installed beside the program, and the Debian package that CPack makes of it ("make deb").
# Components: "runtime" is the program with its manual and completions; "service" is what a system
# runs it by, and stands in the package alone; "development" is the client library.

find_program(HANGAR_GZIP gzip)
install(CODE "
  set(HANGAR \"${PROJECT_BINARY_DIR}/hangar\")
  set(GZIP \"${HANGAR_GZIP}\")
  set(MANDIR \"${CMAKE_INSTALL_MANDIR}\")
  set(DATADIR \"${CMAKE_INSTALL_DATADIR}\")" COMPONENT runtime)
install(SCRIPT ${PROJECT_SOURCE_DIR}/cmake/install_generated.cmake COMPONENT runtime)

# Absolute paths and those of systemd are the system's own, so only the package has them.
set(service COMPONENT service EXCLUDE_FROM_ALL)
install(FILES packaging/systemd/hangar.service DESTINATION lib/systemd/system ${service})
install(FILES packaging/systemd/hangar.sysusers DESTINATION lib/sysusers.d RENAME hangar.conf
  ${service})
install(FILES packaging/systemd/hangar.tmpfiles DESTINATION lib/tmpfiles.d RENAME hangar.conf
  ${service})
install(FILES packaging/debian/copyright DESTINATION share/doc/hangar ${service})
install(FILES packaging/nginx/hangar.conf DESTINATION share/doc/hangar/examples/nginx ${service})
install(FILES packaging/haproxy/hangar.cfg DESTINATION share/doc/hangar/examples/haproxy ${service})
install(CODE "
  if(\"\$ENV{DESTDIR}\" STREQUAL \"\")
    message(FATAL_ERROR \"The component service is for packages: set DESTDIR.\")
  endif()
  set(folder \"\$ENV{DESTDIR}/etc/hangar\")
  file(MAKE_DIRECTORY \"\${folder}\")
  execute_process(COMMAND \"${PROJECT_BINARY_DIR}/hangar\" config example
      --data /var/lib/hangar/datasets --listen grpc://127.0.0.1:8815
    OUTPUT_FILE \"\${folder}/hangar.toml\" COMMAND_ERROR_IS_FATAL ANY)
  file(CHMOD \"\${folder}/hangar.toml\" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)"
  ${service})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hangar)
set(CPACK_PACKAGE_VENDOR Hangar)
set(CPACK_PACKAGE_CONTACT "Hangar's maintainers <hangar@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "server for Parquet datasets over Arrow Flight")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Tables go in from any Arrow Flight client and are stored as plain Parquet files
in a folder; any Flight client, and any program that speaks HTTP, can list,
describe, read, narrow and drop them. Uploads are atomic and durable, reads see
one whole version, and memory stays bounded.
.
The package brings a service that is neither enabled nor started: its settings
in /etc/hangar/hangar.toml come first.")
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime service)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
# Folders get the same modes whatever the umask of whoever packs.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
  GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/package_depends.cmake)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/packaging/debian/conffiles
  ${PROJECT_SOURCE_DIR}/packaging/debian/postinst
  ${PROJECT_SOURCE_DIR}/packaging/debian/prerm
  ${PROJECT_SOURCE_DIR}/packaging/debian/postrm)
include(CPack)
