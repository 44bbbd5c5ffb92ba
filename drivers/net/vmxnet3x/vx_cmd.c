/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_cmd.h"

#define ALL_ONES UINT32_MAX

void
vx_cmd(struct vx_dev *dev, enum vmxnet3_cmd cmd)
{
	if (!atomic_load_explicit(&dev->away, memory_order_relaxed))
		dev->bus->write(dev, VMXNET3_REG_CMD, cmd);
}

uint32_t
vx_cmd_get(struct vx_dev *dev, enum vmxnet3_cmd cmd)
{
	if (atomic_load_explicit(&dev->away, memory_order_relaxed))
		return ALL_ONES;
	dev->bus->write(dev, VMXNET3_REG_CMD, cmd);
	return dev->bus->read(dev, VMXNET3_REG_CMD);
}
