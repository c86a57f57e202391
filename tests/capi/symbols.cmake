# cmake -DNM=nm -DLIBRARY=libgraft.so -DLIST=symbols.txt -P symbols.cmake: fails if the library shows other symbols than
# the list. A symbol that is gone breaks programs; a new one belongs into the list.
execute_process(COMMAND ${NM} --dynamic --defined-only --format=posix ${LIBRARY} OUTPUT_VARIABLE text
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${text}")
set(shown "")
foreach(line IN LISTS lines)
  string(REGEX REPLACE " .*" "" name "${line}")
  list(APPEND shown ${name})
endforeach()
list(SORT shown)
file(STRINGS ${LIST} listed)
list(SORT listed)

set(gone ${listed})
list(REMOVE_ITEM gone ${shown})
set(added ${shown})
list(REMOVE_ITEM added ${listed})
if(gone OR added)
  message(FATAL_ERROR "symbols of ${LIBRARY}: gone: ${gone}; not in ${LIST}: ${added}")
endif()
list(LENGTH shown count)
message(STATUS "${count} symbols, as listed")
