// SPDX-License-Identifier: GPL-2.0-only
/* /init of the stock guest whose start is measured: it has come up, and goes. */
#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
	reboot(RB_POWER_OFF);
	pause();
}
