// Errors and version.
#include <exception>
#include <new>
#include <string>

#include "internal.hpp"

namespace {

thread_local std::string last_error_text;
thread_local const char* last_error = "";

graft_status remember(graft_status status, const char* what) noexcept {
  try {
    last_error_text = what;
    last_error = last_error_text.c_str();
  } catch (...) {
    last_error = "the system has no memory for the message";
  }
  return status;
}

}  // namespace

namespace graft::capi {

graft_status status_of_current_exception() noexcept {
  try {
    throw;
  } catch (const InvalidArgument& error) {
    return remember(GRAFT_INVALID_ARGUMENT, error.what());
  } catch (const IoError& error) {
    return remember(GRAFT_IO_ERROR, error.what());
  } catch (const FormatError& error) {
    return remember(GRAFT_FORMAT_ERROR, error.what());
  } catch (const BackendUnavailable& error) {
    return remember(GRAFT_BACKEND_UNAVAILABLE, error.what());
  } catch (const OutOfMemory& error) {
    return remember(GRAFT_OUT_OF_MEMORY, error.what());
  } catch (const Cancelled& error) {
    return remember(GRAFT_CANCELLED, error.what());
  } catch (const std::bad_alloc&) {
    return remember(GRAFT_OUT_OF_MEMORY, "the system has not enough memory");
  } catch (const std::exception& error) {
    return remember(GRAFT_INTERNAL_ERROR, error.what());
  } catch (...) {
    return remember(GRAFT_INTERNAL_ERROR, "an exception of an unknown type");
  }
}

}  // namespace graft::capi

const char* graft_last_error(void) { return last_error; }

const char* graft_status_name(graft_status status) {
  switch (status) {
    case GRAFT_OK:
      return "GRAFT_OK";
    case GRAFT_INVALID_ARGUMENT:
      return "GRAFT_INVALID_ARGUMENT";
    case GRAFT_IO_ERROR:
      return "GRAFT_IO_ERROR";
    case GRAFT_FORMAT_ERROR:
      return "GRAFT_FORMAT_ERROR";
    case GRAFT_BACKEND_UNAVAILABLE:
      return "GRAFT_BACKEND_UNAVAILABLE";
    case GRAFT_OUT_OF_MEMORY:
      return "GRAFT_OUT_OF_MEMORY";
    case GRAFT_CANCELLED:
      return "GRAFT_CANCELLED";
    case GRAFT_INTERNAL_ERROR:
      return "GRAFT_INTERNAL_ERROR";
    default:
      return "unknown status";
  }
}

const char* graft_version(void) { return GRAFT_VERSION_STRING; }
