package io.gatun.cli.ctl;

import io.gatun.protosw.Vnet;
import java.io.IOException;
import java.util.List;

/** The commands there are, by name. */
public enum StackCommands {
    IFCONFIG(new Ifconfig(),
        "Shows and changes interfaces: ifconfig [-a | -l | -u | IF [inet|inet6] [ADDR[/LEN] ...]]."),
    ROUTE(new RouteCommand(), "Shows and changes routes: route add|delete|change|get|show|flush ..."),
    ARP(new ArpCommand(), "Shows and changes IPv4 neighbours: arp -an | HOST | -s HOST MAC [pub] | -d HOST | -d -a."),
    NDP(new NdpCommand(), "Shows and changes IPv6 neighbours: ndp -an | HOST | -s HOST MAC [proxy] | -d HOST | -c |"
        + " -r | -p | -i IF [FLAG ...]."),
    IP6ADDRCTL(new Ip6addrctlCommand(), "Shows and changes the policy of address selection: ip6addrctl [show] |"
        + " add PREFIX PRECEDENCE LABEL | delete PREFIX | flush | default."),
    NETSTAT(new NetstatCommand(), "Shows sockets, routes, interfaces or counters: netstat [-an] [-p tcp|udp] |"
        + " -rn [-4|-6] [-F FIB] | -i | -I IF | -s [-s] [-p PROTOCOL] | -m | -g."),
    SYSCTL(new SysctlCommand(), "Shows and sets tunables: sysctl [-adeinNqw] NAME | NAME=VALUE ...");

    private final StackCommand command;
    private final String description;

    StackCommands(final StackCommand command, final String description) {
        this.command = command;
        this.description = description;
    }

    /** Its name as people write it. */
    public String word() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    /** One line about it. */
    public String description() {
        return description;
    }

    /**
     * Runs the command that the first word names with the others.
     *
     * @param out what it shows
     * @return null, or why it failed: one line
     */
    public static String run(final Vnet vnet, final List<String> words, final StringBuilder out) {
        if (words.isEmpty()) {
            return "no command";
        }
        for (final StackCommands c : values()) {
            if (c.word().equals(words.getFirst())) {
                return c.run(vnet, new Args(words.subList(1, words.size())), out);
            }
        }
        return "there is no command " + words.getFirst();
    }

    private String run(final Vnet vnet, final Args args, final StringBuilder out) {
        try {
            command.run(vnet, args, out);
            vnet.netisr().swi(); // what it made the stack send to itself
            return null;
        } catch (final IOException | IllegalArgumentException e) {
            return word() + ": " + String.valueOf(e.getMessage()).replace('\n', ' ');
        }
    }
}
