# Installs what the program itself prints: the manual's pages and the shells' completions. Run by
# "cmake --install" with HANGAR (the program), GZIP (the compressor, as Debian wants pages packed;
# empty: they stay as they are) and the folders MANDIR and DATADIR set.

set(root "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")

# install_output(FILE ARG...): what "hangar ARG..." prints, as FILE.
function(install_output file)
  cmake_path(GET file PARENT_PATH folder)
  file(MAKE_DIRECTORY "${folder}")
  execute_process(COMMAND "${HANGAR}" ${ARGN} OUTPUT_FILE "${file}" COMMAND_ERROR_IS_FATAL ANY)
  file(CHMOD "${file}" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  message(STATUS "Installing: ${file}")
endfunction()

foreach(page hangar.1 hangar.toml.5)
  string(REGEX REPLACE "^.*\\." "" section ${page})
  set(file "${root}/${MANDIR}/man${section}/${page}")
  install_output("${file}" manual ${page})
  if(GZIP)
    execute_process(COMMAND "${GZIP}" -9nf "${file}" COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()
install_output("${root}/${DATADIR}/bash-completion/completions/hangar" completion bash)
install_output("${root}/${DATADIR}/zsh/vendor-completions/_hangar" completion zsh)
install_output("${root}/${DATADIR}/fish/vendor_completions.d/hangar.fish" completion fish)
