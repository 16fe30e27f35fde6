# The three kinds of target that a folder of src/ has. Every folder is one library whose links are
# written out, so that a dependency that design does not allow fails to link as well as to lint.

add_library(hangar_options INTERFACE)
target_compile_options(hangar_options INTERFACE -Wall -Wextra -Wpedantic -Werror -Wshadow
  -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers -Wnon-virtual-dtor -Wunused -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(hangar_options INTERFACE -Wthread-safety
    -Wno-missing-designated-field-initializers)
endif()
target_include_directories(hangar_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>)
if(HANGAR_SANITIZE)
  target_compile_options(hangar_options INTERFACE -fsanitize=${HANGAR_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(hangar_options INTERFACE -fsanitize=${HANGAR_SANITIZE})
endif()

# hangar_library(NAME SOURCES... LINK LIBS...): the library hangar_NAME of one folder.
function(hangar_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  if(arg_SOURCES)
    add_library(hangar_${name} STATIC ${arg_SOURCES})
    target_link_libraries(hangar_${name} PUBLIC ${arg_LINK} PRIVATE $<BUILD_INTERFACE:hangar_options>)
  else()
    add_library(hangar_${name} INTERFACE)
    target_link_libraries(hangar_${name} INTERFACE ${arg_LINK})
  endif()
endfunction()

# hangar_test(NAME SOURCES... LINK LIBS...): the unit tests of one folder, one CTest entry a case.
function(hangar_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  if(NOT HANGAR_BUILD_TESTS)
    return()
  endif()
  add_executable(hangar_${name}_test ${arg_SOURCES})
  target_link_libraries(hangar_${name}_test PRIVATE hangar_options ${arg_LINK} GTest::gmock_main)
  gtest_discover_tests(hangar_${name}_test TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

# hangar_benchmark(NAME SOURCES... LINK LIBS...): the micro-benchmarks of one folder.
function(hangar_benchmark name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  if(NOT HANGAR_BUILD_BENCHMARKS)
    return()
  endif()
  add_executable(hangar_${name}_benchmark ${arg_SOURCES})
  target_link_libraries(hangar_${name}_benchmark PRIVATE hangar_options ${arg_LINK}
    benchmark::benchmark_main)
endfunction()
