"""What invented sign-ins are made of: people, apps, agents, places. Values only, nothing is drawn here.

The shapes are those of real exports; the people, tenants and addresses exist nowhere: example.com and the
documentation ranges. The ids of Exchange Online and Microsoft Graph are the public ones, because rules look
at them; all other ids are invented.
"""

GIVEN = """Ada Ben Carla Dan Élise Femi Grace Hugo Inês Jürgen Kaja Liam Mára Noor Otto Priya Quinn Rosa Søren Tilda Uma
Victor Wanda Xenia Yusuf Zoë Anaïs Björn Chloé Dmitri Eszter François Günther Hannah Ivo Jana Krzysztof Lucía Miguel
Nadia Ólafur Pia Rémi Saša Tomás Ulrike Vera Walter 由美 伟""".split()
FAMILY = """Abbott Becker Castro Dubois Eriksson Fischer García Hughes Ibáñez Jansen Kowalczyk Lefèvre Müller Novák
O'Brien Patel Quist Rossi Schröder Tanaka Ueda Vargas Weiß Xu Yilmaz Zimmermann Ångström Bjørnson Çelik Díaz Ek Fernandes
Großmann Hübner Ionescu Jónsdóttir Kim Lindqvist Moreau Nguyen Okafor Petrović Ramos Sørensen Türk Vogel 佐藤 王""".split()
# Display names are not always "given family": some directories turn them round, some add what helps the helpdesk.
DISPLAY = ["{g} {f}", "{g} {f}", "{f}, {g}", "{f} {g} (Field \\ North)", '{g} "GB" {f}', "{g} {f} / Sales"]

EXCHANGE = ("Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000")
GRAPH = ("Microsoft Graph", "00000003-0000-0000-c000-000000000000")
RESOURCES = [EXCHANGE, GRAPH, ("Windows Azure Active Directory", None), ("Office 365 SharePoint Online", None),
             ("Windows Azure Service Management API", None), ("Microsoft Teams Services", None), ("Intune Enrollment", None),
             ("Skype for Business Online", None), ("OCaaS Client Interaction Service", None), ("Line of Business / Ledger", None)]
APPS = """Microsoft Teams|One Outlook Web|Microsoft Office|Office 365 SharePoint Online|OneDrive SyncEngine|Azure Portal|
Microsoft Edge|Windows Sign In|Microsoft Intune Windows Agent|Microsoft Authentication Broker|My Apps|Outlook Mobile|
Microsoft 365 Support Service|Teams Web Client|Office Online Core SSO|SharePoint Online Web Client Extensibility|
Microsoft Authenticator App|Microsoft Power BI|Power Automate|Visual Studio Code|Microsoft Azure CLI|Graph Explorer|
Apple Internet Accounts|Ledger & Payroll|Timesheets "Blue"|Field Service \\ Dispatch|Bürokalender|Microsoft Whiteboard|
Viva Engage|Microsoft To-Do client|Office UWP PWA|Copilot App|Exact Archive|Samsung Email|ZTNA Connector""".replace("\n", "").split("|")

EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36 Edg/{v}.0.0.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36"
# (agent, operating system, browser, client app, interactive out of ten)
MODERN = [
    (EDGE, "Windows10", "Edge {v}.0.0", "Browser", 6),
    (CHROME, "Windows10", "Chrome {v}.0.0", "Browser", 6),
    (EDGE, "Windows11", "Edge {v}.0.0", "Mobile Apps and Desktop clients", 1),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.{w} Safari/605.1.15",
     "MacOs", "Safari 18.{w}", "Browser", 5),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_{w} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
     "Ios 18.{w}", "Mobile Safari", "Mobile Apps and Desktop clients", 1),
    ("Dalvik/2.1.0 (Linux; U; Android 15; SM-S9{w}1B Build/AP3A.240905.015.A2)", "Android", "",
     "Mobile Apps and Desktop clients", 1),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36 Edge/18.26{w}",
     "Windows10", "Edge 18.26{w}", "Mobile Apps and Desktop clients", 0),
    ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18{w}; Pro)", "Windows10", "",
     "Mobile Apps and Desktop clients", 0),
    ("Windows-AzureAD-Authentication-Provider/1.0", "Windows10", "", "Mobile Apps and Desktop clients", 0),
    ("python-requests/2.3{w}", "Linux", "Python Requests 2.3", "Mobile Apps and Desktop clients", 0),
]
# (client app, agent, authentication protocol)
LEGACY = [
    ("IMAP4", "BAV2ROPC", "ropc"), ("POP3", "BAV2ROPC", "ropc"), ("Authenticated SMTP", "BAV2ROPC", "ropc"),
    ("Authenticated SMTP", "", "none"), ("Exchange ActiveSync", "Apple-iPhone15C2/2107.93", "none"),
    ("Exchange ActiveSync", "Android-Mail/2024.41", "ropc"), ("Exchange Web Services", "CBAInPROD", "ropc"),
    ("Exchange Web Services", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.14326; Pro)", "ropc"),
    ("MAPI Over HTTP", "MSRPC", "ropc"), ("Outlook Anywhere (RPC over HTTP)", "MSRPC", "ropc"),
    ("Offline Address Book", "CBAInPROD", "ropc"), ("Exchange Online PowerShell", "Microsoft WinRM Client", "ropc"),
    ("AutoDiscover", "CBAInPROD", "ropc"), ("Other clients", "BAV2ROPC", "ropc"),
]
LEGACY_WEIGHTS = [14, 8, 18, 10, 16, 5, 7, 5, 3, 1, 1, 2, 6, 4]

# (city, state, country, latitude, longitude, autonomous system of the documentation range)
PLACES = [
    ("Hannover", "Niedersachsen", "DE", 52.37059020996094, 9.733209609985352, 64496),
    ("Zürich", "Zürich", "CH", 47.36669921875, 8.550000190734863, 64497),
    ("Malmö", "Skåne län", "SE", 55.60499954223633, 13.003800392150879, 64498),
    ("Leeds", "Leeds", "GB", 53.79650115966797, -1.5478399991989136, 64499),
    ("Bordeaux", "Gironde", "FR", 44.84040069580078, -0.5805000066757202, 64500),
    ("Saint-Étienne", "Loire", "FR", 45.43389892578125, 4.390000343322754, 64500),
    ("Kraków", "Małopolskie", "PL", 50.06140136718750, 19.93659973144531, 64501),
    ("São Paulo", "São Paulo", "BR", -23.54750061035156, -46.63610076904297, 64502),
    ("Austin", "Texas", "US", 30.267200469970703, -97.74310302734375, 64503),
    ("Des Moines", "Iowa", "US", 41.60049057006836, -93.60910034179688, 64503),
    ("Nizampet", "Telangana", "IN", 17.5164794921875, 78.37663269042969, 64504),
    ("新宿区", "東京都", "JP", 35.69380187988281, 139.70350646972656, 64505),
    ("Perth", "Western Australia", "AU", -31.95224952697754, 115.86140441894531, 64506),
    ("Dublin", "Dublin", "IE", 53.34980010986328, -6.260310173034668, 64507),
    ("Porto", "Porto", "PT", 41.14961242675781, -8.610990524291992, 64508),
    ("Montréal", "Québec", "CA", 45.50884246826172, -73.58780670166016, 64509),
    ("Nairobi", "Nairobi", "KE", -1.2833299636840820, 36.81666946411133, 64510),
    ("Gent", "Oost-Vlaanderen", "BE", 51.05000305175781, 3.7166669368743896, 64511),
]
NETWORKS = ["Head office", "Büro Süd", "VPN egress \\ West", "Proxy IPs / trusted", "Branch \"Harbour\"", "Warehouse 4", "Siège social"]

POLICIES = ["Require MFA for all users", "Block legacy authentication", "MFA für Gäste", "Require compliant device",
            "Admins: phishing-resistant MFA", "Mobile Device Policy \\ iOS", "Block \"high\" risk sign-ins",
            "Session timeout 12 h / unmanaged", "Terms of use", "Require Hybrid AD Joined Device", "Exclude break-glass accounts",
            "Power Automate pilot", "Bloquer les pays non autorisés", "Guests – browser only", "SharePoint: limited access"]
GRANTS = [["Mfa"], ["Block"], ["RequireCompliantDevice"], ["Mfa", "RequireCompliantDevice"], ["RequireDomainJoinedDevice"], [],
          ["RequireApprovedApp", "RequireAppProtection"], ["Mfa", "TermsOfUse"]]
SESSIONS = [[], [], [], ["SignInFrequency"], ["PersistentBrowserSession"], ["SignInFrequency", "CloudAppSecurity"]]
RESULTS = ["notApplied", "notApplied", "notApplied", "success", "success", "notEnabled", "reportOnlyNotApplied", "reportOnlySuccess"]

# (code, reason, additional details); code 0 first.
SUCCEEDED = [(0, None, "MFA requirement satisfied by claim in the token"), (0, None, None), (0, "Other.", None),
             (0, None, "MFA completed in Azure AD")]
FAILED = [
    (50126, "Error validating credentials due to invalid username or password.", "The user didn't enter the right credentials. "
     "\"It's expected to see some number of these errors in your logs.\""),
    (50053, "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.", None),
    (50076, "Due to a configuration change made by your administrator, or because you moved to a new location, you must use "
     "multi-factor authentication to access '{resource}'.", "MFA required in Azure AD"),
    (50074, "Strong Authentication is required.", "MFA required in Azure AD"),
    (53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.", None),
    (50140, "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in.", None),
    (50058, "Session information is not sufficient for single-sign-on.", None),
    (70044, "The session has expired or is invalid due to sign-in frequency checks by conditional access.", None),
    (65001, "The user or administrator has not consented to use the application with ID '{app}'. Send an interactive "
     "authorization request for this user and resource.", None),
]
FAILED_WEIGHTS = [20, 4, 14, 10, 6, 16, 18, 10, 2]
SPRAYED_WEIGHTS = [80, 10, 2, 1, 7, 0, 0, 0, 0]
