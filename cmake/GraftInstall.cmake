# Installation and the CMake package. Two export sets, so that the headers can be packaged without the library.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/graft)

install(DIRECTORY include/graft DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT graft)
install(TARGETS graft_headers EXPORT graftTargets)
install(
  EXPORT graftTargets
  NAMESPACE graft::
  DESTINATION ${package_dir}
  COMPONENT graft)

install(
  TARGETS graft_compiled
  EXPORT graftCompiledTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT compiled
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT compiled)
install(
  EXPORT graftCompiledTargets
  NAMESPACE graft::
  DESTINATION ${package_dir}
  COMPONENT compiled)

if(GRAFT_BUILD_CLI)
  install(TARGETS graft_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT cli)
endif()

configure_package_config_file(cmake/graftConfig.cmake.in graftConfig.cmake INSTALL_DESTINATION ${package_dir}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(graftConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/graftConfig.cmake ${PROJECT_BINARY_DIR}/graftConfigVersion.cmake
  DESTINATION ${package_dir}
  COMPONENT graft)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT graft)
