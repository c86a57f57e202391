# cmake -DPKG_CONFIG=... -DCOMPILER=... -DPACKAGE=graft -DSOURCE=main.c -DPREFIX=DIR -DLIBDIR=lib -DPROGRAM=FILE
#       -P pkg_config.cmake: builds a program with what pkg-config says of the installed package, and runs it.
set(ENV{PKG_CONFIG_PATH} ${PREFIX}/${LIBDIR}/pkgconfig)
execute_process(COMMAND ${PKG_CONFIG} --cflags --libs ${PACKAGE} OUTPUT_VARIABLE flags
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags UNIX_COMMAND "${flags}")
set(standard "")
if(SOURCE MATCHES "\\.cpp$")
  set(standard -std=c++20)
endif()
execute_process(COMMAND ${COMPILER} ${standard} ${SOURCE} -o ${PROGRAM} ${flags} -lm COMMAND_ERROR_IS_FATAL ANY)
set(ENV{LD_LIBRARY_PATH} ${PREFIX}/${LIBDIR})
execute_process(COMMAND ${PROGRAM} COMMAND_ERROR_IS_FATAL ANY)
