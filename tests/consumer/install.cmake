# cmake -DBUILD=DIR -DCONFIG=NAME -DSOURCE=DIR -DPREFIX=DIR -P install.cmake: installs, moves, looks for leaked paths.
file(REMOVE_RECURSE ${PREFIX} ${PREFIX}.before_move)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --config "${CONFIG}" --prefix ${PREFIX}.before_move
                COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${PREFIX}.before_move ${PREFIX})

file(GLOB_RECURSE package_files ${PREFIX}/*.cmake)
if(NOT package_files)
  message(FATAL_ERROR "no CMake package in ${PREFIX}")
endif()
foreach(file IN LISTS package_files)
  file(READ ${file} text)
  foreach(path IN ITEMS ${SOURCE} ${BUILD} ${PREFIX})
    string(FIND "${text}" "${path}" position)
    if(NOT position EQUAL -1)
      message(FATAL_ERROR "${file} names ${path}, so the installation cannot be moved")
    endif()
  endforeach()
endforeach()
