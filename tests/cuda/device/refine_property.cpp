// The properties of refine on the device.
#include "on_device.hpp"

#include "../../property/refine_property.cpp"
