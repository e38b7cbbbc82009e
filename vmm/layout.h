/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's physical address space: where its memory and its few devices are. */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

#include <stdint.h>

#define MIB   (UINT64_C(1) << 20)
#define SZ_2M (2 * MIB)

#define GICD_BASE UINT64_C(0x08000000)
#define GICD_SIZE UINT64_C(0x00010000)
#define GICR_BASE UINT64_C(0x080a0000)
#define GICR_SIZE UINT64_C(0x00020000) /* of each vCPU */
#define UART_BASE UINT64_C(0x09000000)
#define UART_SIZE UINT64_C(0x00001000)
#define RAM_BASE  UINT64_C(0x40000000)

#define UART_SPI       1
#define NR_IRQS	       64
#define SPI_INTID(spi) (32 + (spi))

/* The redistributors must end before the UART. */
#define MAX_CPUS ((UART_BASE - GICR_BASE) / GICR_SIZE)

#endif
