# Run by CPack before it packs: the packages whose libraries the program needs, by dpkg-shlibdeps.
# CPack's own CPACK_DEBIAN_PACKAGE_SHLIBDEPS does the same, but wants the program file(1) besides.

set(folder "${CPACK_PACKAGE_DIRECTORY}/shlibdeps")
file(MAKE_DIRECTORY "${folder}/debian")
file(WRITE "${folder}/debian/control" "Source: hangar\nPackage: hangar\nArchitecture: any\n")
list(GET CPACK_BUILD_SOURCE_DIRS 1 build)
execute_process(COMMAND dpkg-shlibdeps -O "-e${build}/hangar" WORKING_DIRECTORY "${folder}"
  OUTPUT_VARIABLE said ERROR_VARIABLE complaints RESULT_VARIABLE code)
if(NOT code EQUAL 0 OR NOT said MATCHES "shlibs:Depends=([^\n]+)")
  message(FATAL_ERROR "dpkg-shlibdeps fails: ${complaints}")
endif()
set(CPACK_DEBIAN_PACKAGE_DEPENDS "${CMAKE_MATCH_1}, ${CPACK_DEBIAN_PACKAGE_DEPENDS}")
