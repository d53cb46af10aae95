// Simplified Chinese: what can be done about a cause. English is the source; {words} stand for what differs.
export const remedies: readonly (readonly [english: string, chinese: string])[] = [
  ['stop the systemd unit {unit}', '停止 systemd 单元 {unit}'],
  ['stop the Windows service {service}', '停止 Windows 服务 {service}'],
  ['stop the container', '停止该容器'],
  ['stop the holder safely and prove that the port is free', '安全地停止占用者，并验证端口已空闲'],
  ['or give your program another port', '或者让你的程序使用其他端口'],
  [
    'see the holder as administrator, which Windows asks about',
    '以管理员身份查看占用者（Windows 会请求确认）',
  ],
  ['see the holder with more privilege', '用更高的权限查看占用者'],
  [
    'or serve the two families apart: bind :: with IPV6_V6ONLY (Node: listen({ host: "::", ipv6Only: true }))',
    '或者让两个地址族分开服务：以 IPV6_V6ONLY 绑定 ::（Node：listen({ host: "::", ipv6Only: true })）',
  ],
  [
    'bind without SO_EXCLUSIVEADDRUSE, as Node does by itself; SO_REUSEADDR would steal ports on Windows',
    '绑定时不要设置 SO_EXCLUSIVEADDRUSE（Node 默认如此）；在 Windows 上 SO_REUSEADDR 会抢占端口',
  ],
  [
    'set SO_REUSEADDR before bind, as Node, Go, Java and nginx do by themselves (Python: socket.SO_REUSEADDR or allow_reuse_address)',
    '在 bind 之前设置 SO_REUSEADDR，Node、Go、Java 和 nginx 默认如此（Python：socket.SO_REUSEADDR 或 allow_reuse_address）',
  ],
  ['or wait until it is over', '或者等待其结束'],
  ['see whose connections they are', '查看这些连接属于谁'],
  [
    'listen on all addresses (0.0.0.0): for that, macOS 10.14 and later ask no privilege',
    '监听所有地址（0.0.0.0）：macOS 10.14 及更高版本对此不要求特权',
  ],
  [
    'listen on an unprivileged port, and let a reverse proxy or load balancer serve this one',
    '监听非特权端口，由反向代理或负载均衡器提供这个端口',
  ],
  [
    'or start the program as root (sudo), or as a daemon of launchd',
    '或者以 root（sudo）启动程序，或作为 launchd 守护进程启动',
  ],
  ['give the program (not the user) the right', '把权限授予程序（而不是用户）'],
  [
    'lower the threshold of this machine from {first} to {port}, for everybody',
    '把本机的门槛从 {first} 降到 {port}，对所有用户生效',
  ],
  ['redirect the port to an unprivileged one', '把该端口重定向到非特权端口'],
  [
    'under systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or a .socket unit',
    '在 systemd 下：在单元中设置 AmbientCapabilities=CAP_NET_BIND_SERVICE，或使用 .socket 单元',
  ],
  [
    'keep Windows from giving it to outgoing connections, as administrator; it lasts',
    '以管理员身份阻止 Windows 把它分配给出站连接；永久有效',
  ],
  ['choose a port outside {range}', '选择 {range} 之外的端口'],
  ['or choose a port outside {range}', '或者选择 {range} 之外的端口'],
  [
    'keep the kernel from giving it to outgoing connections (add the setting to /etc/sysctl.d to keep it)',
    '阻止内核把它分配给出站连接（写入 /etc/sysctl.d 可长期保留）',
  ],
  ["bind one of this machine's addresses: {addresses}", '绑定本机的某个地址：{addresses}'],
  ['there is none of this family', '没有该地址族的地址'],
  ['or all of them: {place}', '或者绑定所有地址：{place}'],
  [
    'or, where the address will move here later (a floating address)',
    '或者，如果该地址稍后会移到本机（浮动地址）',
  ],
  ['bind the IPv4 address instead: 0.0.0.0, or 127.0.0.1', '改为绑定 IPv4 地址：0.0.0.0 或 127.0.0.1'],
  ['or turn IPv6 on', '或者启用 IPv6'],
  [
    'or give an interface an IPv6 address; look at what there is',
    '或者给某个网络接口配置 IPv6 地址；先查看现有的地址',
  ],
  [
    'Windows has no such limit to raise: look for sockets that are never closed',
    'Windows 没有可提高的上限：请查找从未关闭的套接字',
  ],
  ['raise the limit of the shell that starts the program', '提高启动该程序的 shell 的上限'],
  [
    'under launchd: NumberOfFiles in SoftResourceLimits of the job',
    '在 launchd 下：设置任务的 SoftResourceLimits 中的 NumberOfFiles',
  ],
  ['under systemd: LimitNOFILE= in the unit', '在 systemd 下：在单元中设置 LimitNOFILE='],
  ['and look for descriptors that are never closed', '并查找从未关闭的描述符'],
  ['look for a denial by the sandbox', '查看沙盒的拒绝记录'],
  [
    'look at the app sandbox of the program: it needs com.apple.security.network.server',
    '检查程序的 App 沙盒：它需要 com.apple.security.network.server',
  ],
  ['look for a denial by SELinux or AppArmor', '查看 SELinux 或 AppArmor 的拒绝记录'],
  [
    'look at the container or unit: seccomp profile, IPAddressDeny, SocketBindDeny, RestrictAddressFamilies',
    '检查容器或单元：seccomp 配置、IPAddressDeny、SocketBindDeny、RestrictAddressFamilies',
  ],
  ['choose a port outside the excluded ranges', '选择排除范围之外的端口'],
  ['choose a port outside of the excluded ranges', '选择排除范围之外的端口'],
  ['name the interface: {address}', '指明网络接口：{address}'],
  ['check address, port and flags', '检查地址、端口和选项'],
  ['choose a port from 1 to 65535', '选择 1 到 65535 之间的端口'],
  [
    'write an address of this machine, or 0.0.0.0 or :: for all of them',
    '请写本机的地址，或用 0.0.0.0 或 :: 表示所有地址',
  ],
  ['look again as administrator, who sees more', '以管理员身份再看一次，可以看到更多'],
  ['look at what the firewall or antivirus software has blocked', '检查防火墙或杀毒软件拦截了什么'],
  ['or have WinNAT choose its ranges anew, as administrator', '或者以管理员身份让 WinNAT 重新选择范围'],
  [
    'or reserve the port for yourself while WinNAT is stopped, as administrator; it lasts',
    '或者以管理员身份在 WinNAT 停止期间为自己保留该端口；永久有效',
  ],
  ['see who registered it', '查看是谁注册的'],
  [
    'stop the service or program behind it, such as IIS, as administrator',
    '以管理员身份停止其背后的服务或程序，例如 IIS',
  ],
  ['let other machines reach this port, as administrator', '以管理员身份允许其他机器访问该端口'],
  ['look for the rule that blocks it', '查找阻止它的规则'],
];
