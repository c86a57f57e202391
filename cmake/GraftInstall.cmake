# Installation, the CMake package and pkg-config files. An export set each, so that headers, C++ library and C library
# can be packaged apart.
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

if(GRAFT_BUILD_CUDA)
  # Loaded at run time: nothing links it, so it is in no export set.
  install(TARGETS graft_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT cuda)
endif()

if(TARGET graft_trainer)
  install(
    TARGETS graft_tools graft_trainer
    EXPORT graftTrainerTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT trainer
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT trainer)
  install(
    EXPORT graftTrainerTargets
    NAMESPACE graft::
    DESTINATION ${package_dir}
    COMPONENT trainer)
endif()

file(RELATIVE_PATH pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/graft-cpp.pc.in graft-cpp.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/graft-cpp.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT compiled)

if(GRAFT_BUILD_C)
  install(
    TARGETS graft_c
    EXPORT graftCTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT c)
  install(
    EXPORT graftCTargets
    NAMESPACE graft::
    DESTINATION ${package_dir}
    COMPONENT c)
  install(FILES capi/graft.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT c)
  configure_file(capi/graft.pc.in graft.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/graft.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT c)
endif()

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
